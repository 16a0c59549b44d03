import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

raw = pd.read_csv("data/counts.csv", parse_dates=["time"])
places = pd.read_csv("data/stations.csv", index_col="station")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def clean(raw):
    return (
        raw.copy()
        .assign(
            time=lambda t: pd.to_datetime(t.time),
            station=lambda t: t.station.str.strip().str.lower().str.capitalize(),
        )
        .query("bikes >= 0")
        .drop_duplicates(ignore_index=True)
        .astype({"bikes": "int64"})
    )


def busiest(counts):
    means = counts.groupby("station").agg(bikes=("bikes", "mean")).reset_index()
    means = means.sort_values(["bikes", "station"], ascending=[False, True])
    return pd.Series(means.bikes.to_numpy(), index=means.station.tolist())


def by_district(counts, places):
    rows = []
    for district, part in places.groupby("district"):
        bikes = counts.bikes[counts.station.isin(part.station)].sum()
        rows.append({"district": district, "stations": len(part), "bikes": bikes})
    return pd.DataFrame(rows)


def weekday_means(counts):
    days = pd.Categorical(counts.time.dt.day_name(), categories=DAYS, ordered=True)
    means = counts.bikes.groupby(days, observed=False).mean()
    return pd.Series(means.to_numpy(), index=DAYS)


def smooth(values, width):
    if width not in range(1, len(values) + 1):
        raise ValueError("no such width")
    sums = np.concatenate([[0], np.cumsum(values)])
    return (sums[width:] - sums[:-width]) / width


def plot_weekdays(means):
    figure = plt.figure(figsize=(8, 3))
    axes = figure.add_subplot()
    places = np.arange(len(means))
    axes.bar(places, means.values, color="seagreen", width=0.6)
    axes.set_xticks(places, [day[:3] for day in means.index])
    axes.set(title="Bikes by weekday", ylabel="bikes per count", ylim=(0, means.max() * 1.1))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


plot_weekdays(weekday_means(clean(raw)))
smooth(clean(raw).bikes.to_numpy(), 7)
