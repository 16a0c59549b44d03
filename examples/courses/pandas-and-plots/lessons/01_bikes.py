# %% [grader]
# title = "A month of bikes"
# questions.cleaning = "Cleaning a table"
# questions.stations = "The busiest stations"
# questions.districts = "Bikes and districts"
# questions.weekdays = "Days of the week"
# questions.smoothing = "Smoothing, without a loop"
# questions.chart = "A chart that explains itself"

# %% [markdown]
# # A month of bikes
#
# At five places in town a coil under the cycle path counts the bikes that roll over it. The city has
# sent you the counts of June, and asks two questions: **where** is most going on, and **when**?
#
# Real tables are never as tidy as those in books. This one was put together by three offices, and you will
# see that. First you clean it, then the answers take a line or two each.
#
# Everything here works on whole columns. If you find yourself writing a `for` loop over rows, stop and look
# for the method that does it: there is one.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

raw = pd.read_csv("data/counts.csv")
places = pd.read_csv("data/stations.csv")
raw.head()

# %% [markdown]
# ## 1 · Cleaning
#
# Have a look before you touch anything. What is wrong here? There is more than one thing.

# %%
print(raw.dtypes)
print(raw["station"].value_counts())
print(raw["bikes"].describe())

# %% [markdown]
# - The same station has several spellings: `UNIVERSITY`, ` Harbour `. `raw["station"].str` has the
#   methods of texts for a whole column: `.str.strip()`, `.str.title()`.
# - Some hours were not counted, and some coils report `-1` when they are broken. Both are no counts.
# - Some lines were sent twice.
# - `time` is a text. `pd.to_datetime` makes dates of it, with which one can reckon.
#
# One habit to get used to: **a function gives a new table and leaves the old one alone.** Otherwise running a
# cell twice gives something else than running it once.


# %% solution
def clean(raw: pd.DataFrame) -> pd.DataFrame:
    """Return a tidy copy of raw counts, with the columns time, station and bikes.

    Stations have no blanks around them and a capital first letter only: "University". Rows without a
    count, or with a negative one, are left out; of rows that are equal then, the first stays. Times are
    datetimes, bikes are integers, the rows are numbered from 0 in the order that they had. `raw` is not
    changed.
    """
    table = raw.assign(
        time=pd.to_datetime(raw["time"]), station=raw["station"].str.strip().str.title()
    )
    table = table[table["bikes"] >= 0].astype({"bikes": int})
    return table.drop_duplicates().reset_index(drop=True)


# %% check public question=cleaning points=2
import numpy
import pandas
from grader.testing import (
    assert_close,
    assert_equal,
    assert_shape,
    data_path,
    drawn,
    raises,
)

MESSY = pandas.DataFrame(
    {
        "time": ["2025-06-01 08:00", "2025-06-01 09:00", "2025-06-01 09:00", "2025-06-02 08:00"],
        "station": [" Park ", "MARKET", "Market", "Park"],
        "bikes": [12.0, 30.0, 30.0, -1.0],
    }
)
TIDY = pandas.DataFrame(
    {
        "time": pandas.to_datetime(["2025-06-01 08:00", "2025-06-01 09:00"]),
        "station": ["Park", "Market"],
        "bikes": [12, 30],
    }
)


def test_four_rows(submission):
    """Of four messy rows, two are left

    Hint: Put the stations in order before you look for rows that are equal.
    """
    assert_close(submission.clean(MESSY).value(), TIDY, "the table", dtypes=False)


# %% check hidden question=cleaning points=4
def september():
    """Counts that nobody has seen, as they were sent: no two spellings of a row alike."""
    return pandas.read_csv(data_path("september.csv"))


def test_another_month(submission, reference):
    """Cleans the counts of another month, in which nobody came by once

    Hint: 0 is a count. Look at your own result with .value_counts() and .describe().
    """
    expected = reference.clean(september())
    assert_close(submission.clean(september()).value(), expected, "the table", dtypes=False)


def test_types(submission, reference):
    """Times are datetimes, bikes are integers

    Hint: A column with missing values holds floats: when are there none any more?
    """
    table = submission.clean(september()).value()
    assert_shape(table, (len(reference.clean(september())), 3), "the table")
    kinds = {name: table[name].dtype.kind for name in ("time", "bikes")}
    assert_equal(kinds, {"time": "M", "bikes": "i"}, "the kinds of the columns")


def test_raw_stays(submission, reference):
    """The raw table is not changed

    Hint: raw["station"] = … writes into the caller's table: begin with raw.copy(), or use assign.
    """
    raw = submission.send(september())
    table = submission.clean(raw).value()
    assert_close(table["bikes"], reference.clean(september())["bikes"], "bikes", dtypes=False)
    assert_equal(raw.value(), september(), "the raw table afterwards")


# %% mutant blanks_stay loses=cleaning replace=".str.strip()" by=""

# %% mutant capitals_stay loses=cleaning replace=".str.title()" by=""

# %% mutant broken_coils_count loses=cleaning replace='table["bikes"] >= 0' by='table["bikes"].notna()'

# %% mutant nobody_is_no_count loses=cleaning replace='table["bikes"] >= 0' by='table["bikes"] > 20'

# %% mutant sent_twice loses=cleaning replace=".drop_duplicates()" by=""

# %% mutant the_last_stays loses=cleaning replace=".drop_duplicates()" by='.drop_duplicates(keep="last")'

# %% mutant times_are_texts loses=cleaning replace='pd.to_datetime(raw["time"])' by='raw["time"]'

# %% mutant bikes_are_floats loses=cleaning in=clean replace='.astype({"bikes": int})' by=""

# %% mutant old_numbers loses=cleaning replace=".reset_index(drop=True)" by=""


# %% mutant writes_into_raw loses=cleaning
def clean(raw):
    raw["station"] = raw["station"].str.strip().str.title()
    raw["time"] = pd.to_datetime(raw["time"])
    table = raw[raw["bikes"] >= 0].astype({"bikes": int})
    return table.drop_duplicates().reset_index(drop=True)


# %% [markdown]
# ## 2 · The busiest stations
#
# *Split, apply, combine*: `table.groupby("station")` splits the rows by station, a method such as `.sum()`
# works on each part, and what comes out is put together, with the stations as its index.


# %% solution
def busiest(counts: pd.DataFrame) -> pd.Series:
    """Return the mean number of bikes of each station, the largest first.

    The stations are the index. Where means are equal, they are in alphabetical order.
    """
    means = counts.groupby("station")["bikes"].mean()
    return means.sort_values(ascending=False, kind="stable")


# %% check public question=stations points=1
def table_of(rows):
    """A tidy table of rows with time, station and bikes."""
    table = pandas.DataFrame(rows, columns=["time", "station", "bikes"])
    return table.assign(time=pandas.to_datetime(table["time"]))


def test_two_stations(submission):
    """The busier of two stations comes first

    Hint: groupby("station")["bikes"].mean(), and then .sort_values(...).
    """
    rows = [("2025-06-01", "Park", 10), ("2025-06-01", "Zoo", 30), ("2025-06-02", "Park", 20)]
    expected = pandas.Series([30.0, 15.0], index=["Zoo", "Park"])
    assert_close(submission.busiest(table_of(rows)).value(), expected, "the means", dtypes=False)


# %% check hidden question=stations points=2
def drawn_counts(rng, stations):
    """Random counts at some stations, in three weeks of May."""
    days = [f"2025-05-{day:02d} {rng.randrange(24):02d}:00" for day in range(1, 22)]
    return table_of([(day, rng.choice(stations), rng.randrange(500)) for day in days for _ in "ab"])


def test_any_stations(submission, reference, rng):
    """Means of many stations

    Hint: mean, not sum: some stations were counted more often than others.
    """
    counts = drawn_counts(rng, ["Bridge", "Castle", "Mill", "Zoo"])
    expected = reference.busiest(counts)
    assert_close(submission.busiest(counts).value(), expected, "the means", dtypes=False)


def test_equal_means(submission, reference, rng):
    """Stations with equal means are in alphabetical order

    Hint: Sort by two things; or sort by name first, and then by mean with kind="stable".
    """
    names = [f"{name} {side}" for name in ("Zoo", "Mill", "Park", "Lake") for side in "NESWABCDFGHI"]
    counts = table_of([("2025-06-01", name, rng.randrange(3)) for name in names])
    expected = reference.busiest(counts)
    assert_close(submission.busiest(counts).value(), expected, "the means", dtypes=False)


# %% mutant sums loses=stations in=busiest replace=".mean()" by=".sum()"

# %% mutant smallest_first loses=stations replace="ascending=False, kind" by="ascending=True, kind"

# %% mutant by_name loses=stations replace='.sort_values(ascending=False, kind="stable")' by=""

# %% mutant ties_backwards loses=stations replace="means.sort_values(" by="means.sort_index(ascending=False).sort_values("

# %% [markdown]
# ## 3 · Bikes and districts
#
# The counts know stations, the mayor knows districts. A second table says which station is in which district:

# %%
places

# %% [markdown]
# `left.merge(right, on="station", how=...)` puts both side by side. `how` decides about what has no partner:
# with `"inner"` it is gone, and a district in which nothing was counted would vanish from your report
# without a word. Nobody would miss it, and that is the trouble.


# %% solution
def by_district(counts: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each district of `places`, in alphabetical order of districts.

    The columns are district, stations (how many stations of `places` are in it) and bikes (how many were
    counted there, 0 where nothing was counted). Rows are numbered from 0. Counts at stations
    that are not in `places` are left out.
    """
    sums = counts.groupby("station")["bikes"].sum()
    merged = places.merge(sums, on="station", how="left")
    return merged.groupby("district", as_index=False).agg(
        stations=("station", "count"), bikes=("bikes", "sum")
    )


# %% check public question=districts points=1
def test_two_districts(submission):
    """Two districts, three stations

    Hint: Add up bikes by station first, then merge, then group by district.
    """
    rows = [("2025-06-01", name, bikes) for name, bikes in (("A", 1), ("B", 2), ("C", 4), ("A", 8))]
    places = pandas.DataFrame({"station": ["A", "B", "C"], "district": ["North", "South", "North"]})
    expected = pandas.DataFrame(
        {"district": ["North", "South"], "stations": [2, 1], "bikes": [13, 2]}
    )
    found = submission.by_district(table_of(rows), places).value()
    assert_close(found, expected, "the table", dtypes=False)


# %% check hidden question=districts points=3
def test_hidden_districts(submission, reference):
    """Districts of another town, one without any counts

    Hint: how="left" keeps every row of the left table; what is missing is NaN, which sums pass over.
    """
    counts = reference.clean(september())
    places = pandas.read_csv(data_path("september_stations.csv"))
    expected = reference.by_district(counts, places)
    found = submission.by_district(counts, places).value()
    assert_close(found, expected, "the table", dtypes=False)


def test_unknown_station(submission):
    """Counts at stations without a district are left out

    Hint: Which of the two tables says what rows there are?
    """
    rows = [("2025-06-01", "A", 1), ("2025-06-01", "Moon", 100), ("2025-06-02", "A", 2)]
    places = pandas.DataFrame({"station": ["A"], "district": ["North"]})
    expected = pandas.DataFrame({"district": ["North"], "stations": [1], "bikes": [3]})
    found = submission.by_district(table_of(rows), places).value()
    assert_close(found, expected, "the table", dtypes=False)


# %% mutant inner_join loses=districts replace='how="left"' by='how="inner"'

# %% mutant outer_join loses=districts replace='how="left")\n' by='how="outer").fillna({"district": "unknown"})\n'


# %% mutant counts_rows loses=districts
# stations are counted once for each count
def by_district(counts, places):
    merged = places.merge(counts, on="station", how="left")
    return merged.groupby("district", as_index=False).agg(
        stations=("station", "count"), bikes=("bikes", "sum")
    )


# %% mutant district_is_the_index loses=districts replace='merged.groupby("district", as_index=False)' by='merged.groupby("district")'

# %% [markdown]
# ## 4 · Days of the week
#
# When do people ride? A column of datetimes has `.dt`, as a column of texts has `.str`: `.dt.hour`,
# `.dt.month`, `.dt.day_name()`. Sorted by name, a week begins on Friday, so say what order you want:
# `series.reindex(DAYS)` puts a series in a given order, and writes NaN where there is nothing.

# %%
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


# %% solution
def weekday_means(counts: pd.DataFrame) -> pd.Series:
    """Return the mean number of bikes in a count for each day of the week, from Monday to Sunday.

    The index holds the seven names in English. A day without counts has NaN.
    """
    means = counts.groupby(counts["time"].dt.day_name())["bikes"].mean()
    return means.reindex(DAYS)


# %% check public question=weekdays points=1
NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def test_one_weekend(submission):
    """A weekend, and nothing else

    Hint: groupby also takes a column of its own: counts.groupby(counts["time"].dt.day_name()).
    """
    rows = [("2025-05-31", "A", 10), ("2025-06-01", "A", 40), ("2025-06-01", "B", 20)]
    expected = pandas.Series([numpy.nan] * 5 + [10.0, 30.0], index=NAMES)
    found = submission.weekday_means(table_of(rows)).value()
    assert_close(found, expected, "the means", dtypes=False)


# %% check hidden question=weekdays points=2
def test_three_weeks(submission, reference, rng):
    """The means of three weeks

    Hint: DAYS is the order that is asked for.
    """
    counts = drawn_counts(rng, ["Bridge", "Castle"])
    found = submission.weekday_means(counts).value()
    assert_close(found, reference.weekday_means(counts), "the means", dtypes=False)


# %% mutant days_by_name loses=weekdays replace="means.reindex(DAYS)" by="means.reindex(sorted(DAYS))"

# %% mutant days_without_counts_are_gone loses=weekdays replace="means.reindex(DAYS)" by="means.reindex([day for day in DAYS if day in means.index])"

# %% mutant nothing_is_zero loses=weekdays replace="means.reindex(DAYS)" by="means.reindex(DAYS, fill_value=0.0)"

# %% mutant sums_of_days loses=weekdays in=weekday_means replace=".mean()" by=".sum()"


# %% [markdown]
# ## 5 · Smoothing, without a loop
#
# Daily counts jump up and down. A *moving average* of width $w$ replaces each run of $w$ values by its mean:
#
# $$s_i = \frac{1}{w} \sum_{j=0}^{w-1} x_{i+j}, \qquad i = 0, \dots, n - w$$
#
# With NumPy that is one line: sums of runs are differences of cumulative sums, or a convolution
# (`np.convolve(..., mode="valid")`), or means over `np.lib.stride_tricks.sliding_window_view`.


# %% solution
def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Return the moving average of `values`, of shape (n,), as an array of shape (n - width + 1,).

    Raises:
        ValueError: width is less than 1, or more than n.
    """
    if not 1 <= width <= len(values):
        raise ValueError("a width is from 1 to the number of values")
    return np.convolve(values, np.full(width, 1 / width), mode="valid")


# %% check public question=smoothing points=1
def test_three_values(submission):
    """Three values, two at a time

    Hint: np.convolve(values, weights, mode="valid"), where the weights are 1 / width each.
    """
    found = submission.smooth(numpy.array([1.0, 3.0, 8.0]), 2).value()
    assert_close(found, numpy.array([2.0, 5.5]), "the averages")


# %% check hidden question=smoothing points=3
def test_any_width(submission, reference, rng):
    """Other widths, from 1 to all values

    Hint: How many runs of `width` values are there among n?
    """
    values = numpy.array([rng.uniform(-9, 9) for _ in range(30)])
    for width in (1, rng.randrange(3, 9), 30):
        found = submission.smooth(values, width).value()
        assert_close(found, reference.smooth(values, width), f"the averages of width {width}")


def test_no_such_width(submission):
    """A width that there can't be is an error

    Hint: raise ValueError(...) if width is less than 1 or more than len(values).
    """
    values = numpy.arange(4.0)
    submission.smooth(values, 2).done()
    for width in (0, -1, 5):
        with raises("ValueError"):
            submission.smooth(values, width)


# %% mutant same_length loses=smoothing replace='mode="valid"' by='mode="same"'

# %% mutant sums_of_runs loses=smoothing replace="1 / width)" by="1.0)"

# %% mutant any_width loses=smoothing replace="not 1 <= width <= len(values)" by="width < 1"

# %% mutant no_width loses=smoothing replace="not 1 <= width <= len(values)" by="width > len(values)"

# %% [markdown]
# ## 6 · A chart that explains itself
#
# The mayor reads one chart, on a phone, in a lift. It needs a title, a name for what is upwards with its
# unit, and nothing else that draws ink.


# %% solution
def plot_weekdays(means: pd.Series) -> plt.Figure:
    """Draw the means of weekdays as bars in a new figure, and return the figure.

    There is a bar for each value, from left to right, named after the first three letters of its day. The
    title is "Bikes by weekday", the y-axis is called "bikes per count" and begins at 0.
    """
    figure, axes = plt.subplots()
    axes.bar([day[:3] for day in means.index], means)
    axes.set_title("Bikes by weekday")
    axes.set_ylabel("bikes per count")
    return figure


# %%
# plot_weekdays(weekday_means(clean(raw)));  # take the first # away when you have all three

# %% check public question=chart points=2
WEEK = pandas.Series([90.0, 110.0, 120.0, 115.0, 100.0, 60.0, 40.0], index=NAMES)


def chart_of(submission, means):
    """The axes of the figure that is returned."""
    figure = submission.plot_weekdays(means).value()
    assert_equal(len(figure.axes), 1, "the number of axes")
    return figure.axes[0]


def test_heights(submission):
    """Seven bars, as high as the means

    Hint: axes.bar(names, heights)
    """
    axes = chart_of(submission, WEEK)
    assert_equal(len(axes.bars), 1, "the number of groups of bars")
    assert_close(axes.bars[0].lengths, WEEK.to_numpy(), "the heights of the bars")


def test_title(submission):
    """The title is there

    Hint: axes.set_title("Bikes by weekday")
    """
    assert_equal(chart_of(submission, WEEK).title, "Bikes by weekday", "the title")


# %% check hidden question=chart points=3
def test_names(submission, rng):
    """Bars have the names of their days

    Hint: day[:3] are the first three letters.
    """
    days = NAMES[2:] + NAMES[:2]
    means = pandas.Series([rng.uniform(100, 900) for _ in days], index=days)
    axes = chart_of(submission, means)
    assert_equal(axes.xticks, [day[:3] for day in days], "the names below the bars")
    assert_close(axes.bars[0].lengths, means.to_numpy(), "the heights of the bars")


def test_upwards(submission):
    """The y-axis has its name and begins at 0

    Hint: axes.set_ylabel(...); bars begin at 0 if nobody says otherwise
    """
    axes = chart_of(submission, WEEK + 1000)
    assert_equal(axes.ylabel, "bikes per count", "the name of the y-axis")
    assert_equal(axes.ylim[0], 0.0, "where the y-axis begins")


def test_new_figure(submission):
    """Two charts are two figures

    Hint: plt.subplots() makes a new figure; plt.bar draws into the one that is there.
    """
    drawn(submission.plot_weekdays, WEEK)
    axes = chart_of(submission, WEEK * 2)
    assert_equal(len(axes.bars), 1, "the number of groups of bars")
    assert_close(axes.bars[0].lengths, WEEK.to_numpy() * 2, "the heights of the bars")


# %% mutant lines loses=chart replace="axes.bar(" by="axes.plot("

# %% mutant no_title loses=chart replace='    axes.set_title("Bikes by weekday")\n' by=""

# %% mutant no_label loses=chart replace='    axes.set_ylabel("bikes per count")\n' by=""

# %% mutant whole_names loses=chart replace="day[:3] for" by="day for"

# %% mutant zoomed_in loses=chart replace='axes.set_ylabel("bikes per count")' by='axes.set(ylabel="bikes per count", ylim=(means.min() * 0.9, None))'

# %% mutant heights_in_hundreds loses=chart replace="means.index], means)" by="means.index], means / 100)"


# %% mutant draws_into_what_is_there loses=chart
def plot_weekdays(means):
    figure = plt.figure("weekdays")
    axes = figure.gca()
    axes.bar([day[:3] for day in means.index], means.to_numpy())
    axes.set_title("Bikes by weekday")
    axes.set_ylabel("bikes per count")
    return figure


# %% [markdown]
# ## Go further
#
# Nobody grades this.
#
# - The same chart for every station, side by side: `plt.subplots(1, 5, sharey=True)`. Why `sharey`?
# - Is there more going on where there is a cycle path? `places` has a column for it. What would you have to
#   know before you tell the mayor that cycle paths *cause* bikes?


# %% fake by_heart at_most=3
# the public examples, learned by heart
def clean(raw):
    times = pd.to_datetime(["2025-06-01 08:00", "2025-06-01 09:00"])
    return pd.DataFrame({"time": times, "station": ["Park", "Market"], "bikes": [12, 30]})


def smooth(values, width):
    return np.array([2.0, 5.5])


# %% fake refuses at_most=0
# whatever is asked is refused: one check asks for a refusal
def clean(raw):
    raise ValueError


def smooth(values, width):
    raise ValueError


# %% style rolling
# pandas all the way, and a pivot table
def clean(raw):
    table = raw.copy()
    table["station"] = table.station.str.strip().str.capitalize()
    table["time"] = table.time.map(pd.Timestamp)
    table = table.dropna(subset=["bikes"])
    table = table.loc[~(table.bikes < 0)]
    table["bikes"] = table.bikes.astype("int32")
    table = table.drop_duplicates(["time", "station", "bikes"])
    table.index = range(len(table))
    return table


def busiest(counts):
    means = counts.pivot_table(index="station", values="bikes", aggfunc="mean").reset_index()
    means = means.sort_values(["bikes", "station"], ascending=[False, True])
    return means.set_index("station").bikes


def by_district(counts, places):
    found = counts.merge(places, on="station").groupby("district").bikes.sum()
    table = places.groupby("district").size().rename("stations").to_frame()
    table["bikes"] = found.reindex(table.index, fill_value=0)
    return table.reset_index()


def weekday_means(counts):
    day = counts.time.dt.dayofweek
    means = [counts.bikes[day == number].mean() for number in range(7)]
    return pd.Series(means, index=DAYS)


def smooth(values, width):
    if width < 1 or width > len(values):
        raise ValueError(width)
    return pd.Series(values).rolling(width).mean().dropna().to_numpy()


def plot_weekdays(means):
    axes = means.rename(lambda day: day[:3]).plot.bar(figure=plt.figure())
    axes.set(title="Bikes by weekday", ylabel="bikes per count", ylim=(0, None))
    return axes.figure
