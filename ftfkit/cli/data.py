"""``data``: load and check the bars of an experiment without running it."""

from __future__ import annotations

import sys

from ftfkit.cli.arguments import ArgumentParser
from ftfkit.errors import DataError


def main(arguments: list[str]) -> int:
    """Print a line an asset with period, counts and repairs; exit 1 when one is refused."""
    parser = ArgumentParser(prog="python -m ftfkit data", description=__doc__)
    parser.add_argument("overrides", nargs="*", help="data=parquet data.path=FOLDER universe.quote=USDT ...")
    parser.add_config_dir()
    options = parser.parse_args(arguments)

    import pandas as pd

    from ftfkit.config.compose import composer
    from ftfkit.config.experiment import compose
    from ftfkit.config.origin import placed
    from ftfkit.run.bars import native_bars

    experiment = compose(options.overrides, composer(options.config_dir))
    refused: list[str] = []
    for asset in experiment.universe.assets:
        try:
            with placed(experiment):
                bars = native_bars(experiment.baseline.spec.data, asset)
        except DataError as error:
            if str(error) not in refused:  # a wrong place says the same of every asset
                print(error, file=sys.stderr)
            refused.append(str(error))
            continue
        quality = bars.quality
        first, last = pd.to_datetime([bars.open_time[0], bars.open_time[-1]], utc=True)
        print(
            f"{asset.name:<10} {quality.n_bars:>7} bars  {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC  "
            f"{quality.n_gaps} gaps ({quality.n_missing} bars missing), {quality.n_sorted} reordered, "
            f"{quality.n_duplicates} duplicates removed, {quality.n_zero_volume} without volume"
        )
    return DataError.exit_code if refused else 0
