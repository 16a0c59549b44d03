import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

raw = pd.read_csv("data/counts.csv")
places = pd.read_csv("data/stations.csv")
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def clean(raw):
    raw["station"] = raw["station"].str.strip().str.title()  # writes into the table that it is given
    raw["time"] = pd.to_datetime(raw["time"])
    raw = raw.dropna()
    raw = raw[raw["bikes"] >= 0]
    return raw.drop_duplicates().reset_index(drop=True)  # bikes stay floats


def busiest(counts):
    return counts.groupby("station")["bikes"].mean().sort_values()[::-1]


def by_district(counts, places):
    merged = counts.merge(places, on="station")  # inner: districts without counts are gone
    table = merged.groupby("district").agg(
        stations=("station", "nunique"), bikes=("bikes", "sum")
    )
    return table.reset_index()


def weekday_means(counts):
    return counts.groupby(counts["time"].dt.day_name())["bikes"].mean()  # from Friday on


def smooth(values, width):
    found = []
    for i in range(len(values) - width + 1):
        found.append(sum(values[i : i + width]) / width)
    return found  # a list, and no error


def plot_weekdays(means):
    plt.bar(means.index, means)
    plt.title("Bikes by weekday")
    return plt.gcf()
