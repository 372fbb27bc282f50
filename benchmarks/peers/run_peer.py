"""One peer's kernel on arrays from a file; runs in the peers' own environment and never sees ftfkit."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Arrays = dict[str, Any]


def mlfinpy(given: Arrays) -> tuple[float, Arrays]:
    """Barrier touches on closes; end of the event and whether it gained."""
    from mlfinpy.labeling.labeling import get_events

    times = pd.DatetimeIndex(given["close_time"])
    close = pd.Series(given["close"], index=times)
    starts = times[given["bar"]]
    target = pd.Series(given["atr"] / given["close"][given["bar"]], index=starts)
    limit = pd.Series(times[given["bar"] + given["max_bars"]], index=starts)
    side = pd.Series(1.0, index=starts)
    multiples = [float(given["target_atr"]), float(given["stop_atr"])]
    start = time.process_time()
    events = get_events(
        close, starts, multiples, target, 0.0, 1, vertical_barrier_times=limit, side_prediction=side, verbose=False
    )
    seconds = time.process_time() - start
    ends = pd.DatetimeIndex(events["t1"])
    return seconds, {"t1": ends.asi8, "gained": close.loc[ends].to_numpy() > close.loc[starts].to_numpy()}


def triple_barrier(given: Arrays) -> tuple[float, Arrays]:
    """Barrier touches on highs and lows; the bar that ends the event and whether it is the target's."""
    from triple_barrier.orders import Orders
    from triple_barrier.trade_labeling import Labeler
    from triple_barrier.types import OrderType, TradeSide

    opens = pd.DatetimeIndex(given["open_time"])
    prices = {name: pd.Series(given[name], index=opens) for name in ("open", "high", "low", "close")}
    ends, targets = [], []
    start = time.process_time()
    for bar, atr in zip(given["bar"].tolist(), given["atr"].tolist(), strict=True):
        entry = prices["close"].iloc[bar]
        orders = Orders()
        orders.open_time, orders.open_price = str(opens[bar + 1]), entry
        orders.take_profit_level = entry + float(given["target_atr"]) * atr
        orders.stop_loss_level = entry - float(given["stop_atr"]) * atr
        orders.time_limit = str(opens[bar + int(given["max_bars"])])
        orders.trade_side, orders.pip_decimal_position = TradeSide.BUY, 0
        labeler = Labeler(prices["open"], prices["high"], prices["low"], prices["close"], orders)
        hit = labeler.compute().first_hit
        ends.append(hit.hit_datetime)
        targets.append(hit.order_type is OrderType.TAKE_PROFIT)
    seconds = time.process_time() - start
    return seconds, {"exit_bar": opens.get_indexer(pd.DatetimeIndex(ends)), "target": np.array(targets)}


def purgedcv(given: Arrays) -> tuple[float, Arrays]:
    """Sizes and sums of the training positions of each purged fold."""
    from purgedcv import PurgedKFold

    t0, t1 = (pd.Series(pd.to_datetime(given[name])) for name in ("t0", "t1"))
    rows = np.zeros((len(t0), 1))
    start = time.process_time()
    splitter = PurgedKFold(
        int(given["n_folds"]),
        prediction_times=t0,
        evaluation_times=t1,
        embargo=pd.Timedelta(int(given["embargo_ns"]), "ns"),
    )
    folds = [train for train, _ in splitter.split(rows)]
    seconds = time.process_time() - start
    return seconds, {
        "size": np.array([len(train) for train in folds]),
        "sum": np.array([train.sum() for train in folds]),
    }


PEERS: dict[str, Callable[[Arrays], tuple[float, Arrays]]] = {
    "mlfinpy": mlfinpy,
    "triple_barrier": triple_barrier,
    "purgedcv": purgedcv,
}

if __name__ == "__main__":
    name, source, result = sys.argv[1:]
    with np.load(source) as arrays:
        seconds, found = PEERS[name]({key: arrays[key] for key in arrays.files})
    np.savez(result, **found)
    print(json.dumps({"seconds": seconds}))
