"""Prints the expected numbers of tests/it/schedule.rs: the formulas of PyTorch 2.15, written out.

`lr_scheduler.OneCycleLR(max_lr=2, total_steps=40, pct_start=0.3, anneal_strategy="cos", div_factor=25,
final_div_factor=1e4)` and `lr_scheduler.CosineAnnealingWarmRestarts(T_0, T_mult, eta_min=0.2)` with a rate of 2, stepped by
`step(epoch + batch / 10)`. Needs no PyTorch. Run as `python3 schedules.py`.
"""

from math import cos, log, pi


def one_cycle(step, total=40, max_lr=2.0, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    initial = max_lr / div_factor
    peak, last = pct_start * total - 1, total - 1

    def anneal(start, end, pct):
        return end + (start - end) / 2.0 * (cos(pi * pct) + 1)

    if step <= peak:
        return anneal(initial, max_lr, step / peak)
    return anneal(max_lr, initial / final_div_factor, (step - peak) / (last - peak))


def warm_restarts(epoch, t_0, t_mult, lr=2.0, eta_min=0.2):
    t_cur, t_i = epoch, t_0
    if epoch >= t_0 and t_mult == 1:
        t_cur = epoch % t_0
    elif epoch >= t_0:
        n = int(log(epoch / t_0 * (t_mult - 1) + 1, t_mult))
        t_cur, t_i = epoch - t_0 * (t_mult**n - 1) / (t_mult - 1), t_0 * t_mult**n
    return eta_min + (lr - eta_min) * (1 + cos(pi * t_cur / t_i)) / 2


print([one_cycle(step) for step in (0, 5, 11, 12, 25, 39)])
print([warm_restarts(step / 10, 1, 2) for step in (0, 5, 9, 10, 20, 29, 30, 39)])
print([warm_restarts(step / 10, 2, 1) for step in (0, 5, 19, 20, 30, 39)])
