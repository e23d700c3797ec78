"""Several children, one set of weights: residuals, Jacobian, ridge, rank test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orderparam.discovery.family import gather_family
from orderparam.errors import InvalidInputError
from orderparam.network.joint import JointResiduals, fit_jointly, joint_ladder, reach
from orderparam.network.layout import draw_weights
from orderparam.network.problem import Architecture, FitConfig
from orderparam.network.reduced import single_thread
from orderparam.network.solver import solve
from orderparam.tiltsystems import cubic_perovskite, tilt_system

SMALL = Architecture(lmax=1, layers=2)


@pytest.fixture(scope="module")
def problems():
    parent = cubic_perovskite()
    family = gather_family({s: tilt_system(s, parent) for s in ("a0a0c+", "a0b-b-", "a+b-b-")})
    return [family.problem(member) for member in family.members]


def joint(problems, seed=0):
    residuals = JointResiduals(problems, SMALL, FitConfig(seed=seed))
    weights, embedding = draw_weights(residuals.network.shapes, residuals.n_kinds, SMALL.channels, (seed,))
    residuals.use_embedding(embedding)
    return residuals, weights


def test_the_joint_residuals_are_those_of_the_children(problems):
    residuals, weights = joint(problems)
    with single_thread():
        together = residuals.evaluate(weights).residuals
        apart = []
        for problem in problems:
            one, _ = joint([problem])
            apart.append(one.evaluate(weights).residuals)
    sizes = np.array([p.n_sites for p in problems])
    expected = np.concatenate([np.sqrt(sizes.min() / n) * part for n, part in zip(sizes, apart, strict=True)])
    assert np.allclose(together, expected, atol=1e-12)
    assert residuals.worst(together) == pytest.approx(max(np.linalg.norm(part) for part in apart))


def test_the_jacobian_is_the_derivative(problems):
    residuals, weights = joint(problems)
    direction = np.random.default_rng(1).normal(size=len(weights))
    with single_thread():
        slope = residuals.evaluate(weights).jacobian() @ direction
        step = 1e-6
        ends = [residuals.evaluate(weights + sign * step * direction).residuals for sign in (1, -1)]
    assert np.allclose((ends[0] - ends[1]) / (2 * step), slope, rtol=1e-5, atol=1e-7)


def test_a_joint_fit_meets_every_child(problems):
    result = fit_jointly(problems, FitConfig(seed=0, tolerance=1e-5, accepted=1e-4))
    assert result.converged
    assert max(d.max for d in result.deviations) <= 1e-4
    assert max(d.strain for d in result.deviations) <= 1e-4
    for problem, deviation in zip(problems, result.deviations, strict=True):
        displacements, strain = result.predict(problem)
        assert np.linalg.norm(displacements - problem.displacements, axis=1).max() == pytest.approx(deviation.max)
        assert np.linalg.norm(strain - problem.strain) == pytest.approx(deviation.strain)


def test_one_input_cannot_have_two_answers(problems):
    """Negative control: the same order parameters with another target are out of reach, and the rank test says so."""
    twice = [problems[2], replace(problems[2], displacements=0.9 * problems[2].displacements)]
    config = FitConfig(seed=0, tolerance=1e-5, accepted=1e-4, max_restarts=0, max_iterations=20)
    for architecture in joint_ladder(1, 4)[:1]:
        assert reach(JointResiduals(twice, architecture, config), architecture, config).unreachable > 1e-2
    assert not fit_jointly(twice, config, architecture=SMALL).converged


def test_a_ridge_keeps_the_weights_small(problems):
    config = FitConfig(seed=0, tolerance=1e-5, accepted=1e-4, max_restarts=0, max_iterations=30)
    free = fit_jointly(problems, config, architecture=SMALL)
    held = fit_jointly(problems, config, architecture=SMALL, ridge=1e-4)
    assert np.linalg.norm(held.network.weights) < 0.7 * np.linalg.norm(free.network.weights)
    assert max(d.max for d in held.deviations) > max(d.max for d in free.deviations)


def test_the_ridge_of_a_linear_problem_is_tikhonovs():
    """Against the closed form, for a problem with more unknowns than residuals."""
    rng = np.random.default_rng(0)
    A, b, ridge = rng.normal(size=(6, 20)), rng.normal(size=6), 0.3

    class Line:
        def __init__(self, x):
            self.residuals = A @ x - b

        def jacobian(self):
            return A

    found = solve(Line, rng.normal(size=20), tolerance=1e-14, max_iterations=200, ridge=ridge)
    expected = A.T @ np.linalg.solve(A @ A.T + ridge * np.eye(6), b)
    assert np.allclose(found.unknowns, expected, atol=1e-6)


def test_numbers_that_are_not_finite_end_a_joint_fit_at_its_last_good_state(problems, monkeypatch):
    from orderparam.network import joint as module

    calls, plain = [], module.JointPoint.jacobian

    def spoiled(self):
        calls.append(np.linalg.norm(self.residuals))
        return plain(self) * (np.nan if len(calls) > 3 else 1)

    monkeypatch.setattr(module.JointPoint, "jacobian", spoiled)
    found = fit_jointly(problems, FitConfig(seed=0, max_restarts=0), architecture=SMALL)
    assert "not finite came up after" in found.trouble
    assert not found.converged
    assert np.isfinite(found.network.weights).all()
    assert np.isfinite([d.max for d in found.deviations]).all()
    whole = np.sqrt(sum((u**2).sum() for u, _ in found.predictions))
    assert whole > 0


def test_bad_problems(problems):
    with pytest.raises(InvalidInputError, match="at least one child"):
        fit_jointly([], FitConfig(seed=0))
    other = replace(problems[0], species=tuple("Xe" if s == "O" else s for s in problems[0].species))
    with pytest.raises(InvalidInputError, match="species"):
        fit_jointly([problems[1], other], FitConfig(seed=0))
