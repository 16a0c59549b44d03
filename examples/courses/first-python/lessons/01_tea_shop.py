# %% [grader]
# title = "The tea shop"
# questions.welcome = "A word of welcome"
# questions.menu = "Reading the menu"
# questions.prices = "What is not on the menu"
# questions.order = "An order"
# questions.receipt = "The receipt"
# questions.tickets = "Numbers for those who wait"
# questions.takings = "The day's takings"

# %% [markdown]
# # The tea shop
#
# Your aunt has opened a tea shop. The tea is excellent, the till is a shoebox. Today you write her a
# till: it greets guests, reads the menu from a file, adds up orders, prints receipts and, when
# the shop closes, writes down what came in.
#
# You need what you have seen so far: functions, lists and dictionaries, files. New today are
# **exceptions of your own**, a **class** and a **generator**.
#
# **Money is counted in cents.** Try `0.1 + 0.2` in a cell of your own and you will see why no till in the
# world adds up fractions of a euro. A green tea costs `240`, and only on paper do we write `2.40`.

# %% [markdown]
# ## 1 · A word of welcome
#
# `input("Your name? ")` shows the question, waits for somebody to type a line, and gives you the
# line as a text. People type blanks before and after their names, or nothing at all.
# `text.strip()` takes blanks away at both ends, and an empty text counts as `False` in an `if`.
#
# ```text
# Your name? Ada
# Welcome, Ada!
# ```


# %% solution
def welcome() -> None:
    """Ask for a name and print a welcome.

    The question is "Your name? ". Blanks around the name don't count. Then "Welcome, NAME!" is printed,
    or "Welcome, stranger!" if there is no name.
    """
    name = input("Your name? ").strip()
    print(f"Welcome, {name or 'stranger'}!")


# %% check public question=welcome points=1
from grader.testing import (
    assert_equal,
    in_folder,
    printed,
    printing,
    raises,
    take,
)


def test_ada_is_welcome(submission):
    """Somebody types Ada, and is welcome

    Hint: input() gives the line that was typed: keep it in a variable, and print it.
    """
    with printing(submission, typed=["Ada"]) as screen:
        submission.welcome()
    assert_equal(screen.text(), "Your name? Ada\nWelcome, Ada!\n", "the screen")


# %% check hidden question=welcome points=2
NAMES = ["Grace", "Edsger", "Barbara", "Donald", "Margaret"]


def test_blanks_around_a_name(submission, rng):
    """Blanks around a name don't count

    Hint: text.strip() gives a text without blanks at both ends.
    """
    name = rng.choice(NAMES)
    with printing(submission, typed=[f"  {name} "]) as screen:
        submission.welcome()
    assert_equal(screen.text().splitlines()[-1:], [f"Welcome, {name}!"], "the last line")


def test_no_name(submission):
    """Who only presses Enter is a welcome stranger

    Hint: What is an empty text in an if?
    """
    with printing(submission, typed=[""]) as screen:
        submission.welcome()
    assert_equal(screen.text().splitlines()[-1:], ["Welcome, stranger!"], "the last line")


# %% mutant blanks_stay loses=welcome in=welcome replace=".strip()" by=""

# %% mutant nobody_is_a_stranger loses=welcome replace="{name or 'stranger'}" by="{name}"

# %% mutant welcome_is_returned loses=welcome
# the text is returned where it should be printed
def welcome():
    name = input("Your name? ").strip()
    return f"Welcome, {name or 'stranger'}!"


# %% [markdown]
# ## 2 · Reading the menu
#
# The menu lies beside this notebook, in the file `menu.csv`. Look at it first: it is only text.

# %%
with open("menu.csv", encoding="utf-8") as file:
    print(file.read())

# %% [markdown]
# The first line names the columns, every other line is a drink and its price in cents. A dictionary
# suits that well: the drink is the key. Going through an open file with `for line in file` gives one
# line after the other, each with its `"\n"` at the end.
#
# Somebody has edited the file by hand, so there may be empty lines in it.


# %% solution
def read_menu(path: str) -> dict[str, int]:
    """Read a menu: a dict from each drink to its price in cents.

    The first line of the file is a heading. Empty lines are passed over. Blanks around a drink or a
    price don't count.
    """
    menu = {}
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            if line.strip():
                drink, cents = line.split(",")
                menu[drink.strip()] = int(cents)
    return menu


# %% check public question=menu points=1
def test_the_menu_of_today(submission):
    """Reads menu.csv

    Hint: "green tea,240".split(",") gives the two parts of a line; int("240") makes a number.
    """
    menu = submission.read_menu("menu.csv").value()
    assert_equal(menu["green tea"], 240, "the price of green tea")
    assert_equal(len(menu), 5, "the number of drinks")


# %% check hidden question=menu points=3
MENU = "drink,cents\nassam,250\n\n rooibos , 190\nmate,{}\n\n"


def test_another_menu(submission, rng):
    """Reads a menu with other drinks, empty lines and blanks

    Hint: An empty line is "\\n": what does strip() make of it?
    """
    with in_folder(submission, {"summer.csv": MENU.format(rng.randrange(100, 400))}) as folder:
        menu = submission.read_menu("summer.csv").value()
        price = int(folder.text("summer.csv").rpartition(",")[2])
    assert_equal(menu, {"assam": 250, "rooibos": 190, "mate": price}, "the menu")


# %% mutant heading_is_a_drink loses=menu replace="        next(file)\n" by=""
# int("cents") raises ValueError

# %% mutant prices_are_texts loses=menu replace="int(cents)" by="cents.strip()"

# %% mutant always_menu_csv loses=menu in=read_menu replace="open(path, " by='open("menu.csv", '

# %% mutant blanks_around_drinks loses=menu replace="menu[drink.strip()]" by="menu[drink]"

# %% mutant empty_lines_end_it loses=menu replace="if line.strip():" by="if not line.strip():\n                break\n            else:"


# %% [markdown]
# ## 3 · What is not on the menu
#
# Guests ask for coffee. `menu["coffee"]` raises a `KeyError`, which tells your aunt nothing. Good
# programs have **words of their own** for what can go wrong. An exception of your own is a class with
# almost nothing in it:
#
# ```python
# class NotOnTheMenu(Exception):
#     pass
# ```
#
# and `raise NotOnTheMenu("coffee")` raises it.


# %%
class NotOnTheMenu(Exception):
    """Somebody asks for a drink that there is not."""


# %% solution
def price_of(menu: dict[str, int], drink: str) -> int:
    """Return the price of a drink in cents, whether it is asked for in capitals or small letters.

    Names on the menu are in small letters. Raises NotOnTheMenu, with the drink as it was asked for as its
    message, if the menu has no such drink.
    """
    if drink.lower() not in menu:
        raise NotOnTheMenu(drink)
    return menu[drink.lower()]


# %% check public question=prices points=1
def test_coffee(submission):
    """There is tea, but no coffee

    Hint: `if drink not in menu:` comes before the price is looked up.
    """
    assert_equal(submission.price_of({"tea": 200}, "tea").value(), 200, "the price")
    with raises("NotOnTheMenu"):
        submission.price_of({"tea": 200}, "coffee")


# %% check hidden question=prices points=2
from grader.testing import StudentError, fail


def test_capitals(submission, rng):
    """Drinks are found in capitals, too

    Hint: text.lower() gives a text in small letters.
    """
    cents = rng.randrange(150, 400)
    menu = {"oolong": cents, "sencha": cents + 1}
    assert_equal(submission.price_of(menu, "Oolong").value(), cents, "the price of Oolong")
    assert_equal(submission.price_of(menu, "SENCHA").value(), cents + 1, "the price of SENCHA")


def test_message(submission):
    """The exception says which drink was asked for

    Hint: raise NotOnTheMenu(drink)
    """
    submission.price_of({"tea": 200}, "tea").done()  # whoever refuses everything fails here
    try:
        submission.price_of({"tea": 200}, "Flat White").done()
    except StudentError as error:
        assert_equal(error.kinds[0], "NotOnTheMenu", "the exception")
        assert_equal(error.message, "Flat White", "its message")
    else:
        fail("price_of raised nothing", expected="NotOnTheMenu")


# %% mutant key_error loses=prices
# the dictionary's own exception
def price_of(menu, drink):
    return menu[drink.lower()]


# %% mutant capitals_are_unknown loses=prices
def price_of(menu, drink):
    if drink not in menu:
        raise NotOnTheMenu(drink)
    return menu[drink]


# %% mutant no_message loses=prices replace="raise NotOnTheMenu(drink)" by="raise NotOnTheMenu"


# %% mutant message_in_small_letters loses=prices replace="raise NotOnTheMenu(drink)" by="raise NotOnTheMenu(drink.lower())"

# %% [markdown]
# ## 4 · An order
#
# An order grows while a guest makes up their mind. It has to remember things, and it can do things: that
# is what a **class** is for. `self.drinks` is what *this* order remembers; another order has its own.


# %% solution
class Order:
    """What one table has ordered.

    Attributes:
        menu: the prices, as read_menu gives them.
        drinks: a dict from each drink to how many of it there are, in small letters.
    """

    def __init__(self, menu: dict[str, int]) -> None:
        """Begin an order of nothing."""
        self.menu = menu
        self.drinks: dict[str, int] = {}

    def add(self, drink: str, count: int = 1) -> None:
        """Add drinks of one kind; more of the same come on top.

        Raises NotOnTheMenu as price_of does, and ValueError if count is less than 1. Then the order stays
        as it was.
        """
        if count < 1:
            raise ValueError("order at least one")
        price_of(self.menu, drink)
        self.drinks[drink.lower()] = self.drinks.get(drink.lower(), 0) + count

    def total(self) -> int:
        """Return what all of it costs, in cents."""
        return sum(price_of(self.menu, drink) * count for drink, count in self.drinks.items())


# %% check public question=order points=2
def test_two_teas_and_a_lemonade(submission):
    """Two teas and a lemonade

    Hint: total() goes through self.drinks.items(): a drink and how many of it.
    """
    order = submission.Order({"tea": 200, "lemonade": 280})
    order.add("tea", 2)
    order.add("lemonade")
    assert_equal(order.drinks.value(), {"tea": 2, "lemonade": 1}, "what is ordered")
    assert_equal(order.total().value(), 680, "the total")


# %% check hidden question=order points=4
def test_more_of_the_same(submission, rng):
    """More of the same comes on top

    Hint: self.drinks.get(drink, 0) is 0 for what was not ordered yet.
    """
    first, second = rng.randrange(1, 5), rng.randrange(1, 5)
    # with both spellings on the menu: whether prices are found in capitals is asked above
    order = submission.Order({"tea": 200, "Tea": 200, "mate": 230})
    order.add("tea", first)
    order.add("mate")
    order.add("Tea", second)
    assert_equal(order.drinks.value(), {"tea": first + second, "mate": 1}, "what is ordered")
    assert_equal(order.total().value(), 200 * (first + second) + 230, "the total")


def test_two_tables(submission):
    """Two tables have two orders

    Hint: A dictionary that is made in __init__ belongs to one order alone.
    """
    one, other = submission.Order({"tea": 200}), submission.Order({"tea": 210})
    one.add("tea", 3)
    other.add("tea")
    assert_equal(one.total().value(), 600, "the first table's total")
    assert_equal(other.total().value(), 210, "the second table's total")


def test_less_than_one(submission):
    """Nobody orders less than one

    Hint: if count < 1: raise ValueError(...)
    """
    order = submission.Order({"tea": 200})
    order.add("tea").done()
    for count in (0, -2):
        with raises("ValueError"):
            order.add("tea", count)
    assert_equal(order.drinks.value(), {"tea": 1}, "what is ordered")


def test_what_there_is_not(submission):
    """What is not on the menu is not ordered

    Hint: price_of raises for you: ask it before you change self.drinks.
    """
    order = submission.Order({"tea": 200})
    order.add("tea").done()
    with raises("NotOnTheMenu", "KeyError"):  # which of them is asked above
        order.add("coffee")
    assert_equal(order.drinks.value(), {"tea": 1}, "what is ordered")


# %% mutant last_count_wins in=Order.add loses=order replace="self.drinks.get(drink.lower(), 0) + count" by="count"

# %% mutant one_order_for_all loses=order in=Order.__init__ replace="self.drinks: dict[str, int] = {}" by="self.drinks = Order.kept = getattr(Order, 'kept', {})"
# the dictionary is shared by all orders

# %% mutant counts_are_forgotten loses=order,receipt in=Order.total replace=" * count for" by=" for"

# %% mutant takes_back loses=order replace="if count < 1" by="if count == 0"

# %% mutant anything_is_ordered in=Order.add loses=order replace="        price_of(self.menu, drink)\n" by=""

# %% [markdown]
# ## 5 · The receipt
#
# A receipt looks neat if names begin and prices end in the same columns. Format strings can do that:
# `f"{text:<16}"` fills a text up with blanks to 16 characters, `f"{number:>8.2f}"` writes a number
# with two digits after the point, and puts it at the right end of 8 characters.

# %%
print(f"{'2 x tea':<16}{4.8:>8.2f}|")
print(f"{'1 x lemonade':<16}{12:>8.2f}|")


# %% solution
def print_receipt(order: "Order") -> None:
    """Print the receipt of an order: a line for each drink, a rule and the total.

    Each line is 24 characters wide: 16 for text from the left, such as "2 x green tea", 8 for euros, with
    two digits after the point, up to the right. Drinks come in the order in which they were first
    added. The rule is 24 hyphens; the last line begins with "total".
    """
    for drink, count in order.drinks.items():
        cents = price_of(order.menu, drink) * count
        print(f"{f'{count} x {drink}':<16}{cents / 100:>8.2f}")
    print("-" * 24)
    print(f"{'total':<16}{order.total() / 100:>8.2f}")


# %% check public question=receipt points=1
LARGE = """\
2 x tea             4.00
1 x lemonade        2.80
------------------------
total               6.80
"""


def an_order(submission, menu, drinks):
    """An order of the submission's own."""
    order = submission.Order(menu)
    order.drinks = dict(drinks)  # whoever can't add yet can print already
    return order


def test_receipt(submission):
    """The receipt of two teas and a lemonade

    Hint: cents / 100 are euros.
    """
    order = an_order(submission, {"lemonade": 280, "tea": 200}, [("tea", 2), ("lemonade", 1)])
    assert_equal(printed(submission.print_receipt, order), LARGE, "the receipt")


# %% check hidden question=receipt points=2
def test_any_receipt(submission, rng):
    """The receipt of a big table

    Hint: print_receipt uses what the order remembers, and its total().
    """
    prices = {drink: rng.randrange(105, 995) for drink in ("mate", "assam", "rooibos", "oolong")}
    drinks = [(drink, rng.randrange(2, 30)) for drink in rng.sample(sorted(prices), 3)]
    order = an_order(submission, prices, drinks)
    lines = [f"{f'{n} x {drink}':<16}{prices[drink] * n / 100:>8.2f}" for drink, n in drinks]
    total = order.total().value()  # whether it is right is asked above
    lines += ["-" * 24, f"{'total':<16}{total / 100:>8.2f}"]
    said = printed(submission.print_receipt, order)
    assert_equal(said.splitlines(), lines, "the lines of the receipt")


# %% mutant single_prices loses=receipt replace="cents = price_of(order.menu, drink) * count" by="cents = price_of(order.menu, drink)"

# %% mutant one_digit loses=receipt replace="{cents / 100:>8.2f}" by="{cents / 100:>8.1f}"

# %% mutant no_rule loses=receipt replace='    print("-" * 24)\n' by=""

# %% mutant drinks_by_name loses=receipt replace="in order.drinks.items():\n        cents" by="in sorted(order.drinks.items()):\n        cents"

# %% mutant receipt_is_returned loses=receipt
# a list of lines is returned, nothing is printed
def print_receipt(order):
    return [f"{count} x {drink}" for drink, count in order.drinks.items()]


# %% [markdown]
# ## 6 · Numbers for those who wait
#
# On Saturdays guests queue. Each draws a ticket: `A1`, `A2`, … `A99`, and then `B1`. Nobody knows how
# many tickets a day takes, so a list would be too short or a waste of paper. A **generator** makes one
# value at a time, when somebody asks for it: write a function with `yield` in a loop.


# %% solution
def tickets(last: int = 99):
    """Yield "A1", "A2" and so on up to the number `last`, then "B1", up to the letter Z; then "A1" again.

    It never ends.
    """
    while True:
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            for number in range(1, last + 1):
                yield f"{letter}{number}"


# %% check public question=tickets points=1
def test_first_tickets(submission):
    """The first three guests

    Hint: yield gives one ticket; the loop goes on when somebody asks for the next.
    """
    assert_equal(take(submission.tickets(), 3), ["A1", "A2", "A3"], "the first tickets")


# %% check hidden question=tickets points=2
def test_next_letter(submission, rng):
    """After the last number comes the next letter

    Hint: One loop for the letters, and in it one for the numbers.
    """
    last = rng.randrange(3, 7)
    expected = [f"{letter}{number + 1}" for letter in "ABC" for number in range(last)]
    assert_equal(take(submission.tickets(last), 3 * last), expected, "the first tickets")
    assert_equal(take(submission.tickets(), 100)[-2:], ["A99", "B1"], "tickets 99 and 100")


def test_after_z(submission):
    """After Z comes A

    Hint: Around both loops stands `while True:`.
    """
    found = take(submission.tickets(2), 54)
    assert_equal(found[-4:], ["Z1", "Z2", "A1", "A2"], "tickets 51 to 54")


# %% mutant stops_after_z loses=tickets replace="while True:" by="if True:"

# %% mutant from_zero loses=tickets replace="range(1, last + 1)" by="range(last)"

# %% mutant always_99 loses=tickets replace="range(1, last + 1)" by="range(1, 100)"


# %% mutant numbers_go_on loses=tickets
def tickets(last=99):
    number = 0
    while True:
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            for _ in range(last):
                number += 1
                yield f"{letter}{number}"


# %% [markdown]
# ## 7 · The day's takings
#
# The shop closes. What was drunk today goes into a file, so that your aunt knows what to
# order for tomorrow: one line for each drink, the drink that brought in most comes first.
#
# ```text
# green tea,12,2880
# lemonade,3,840
# total,15,3720
# ```


# %% solution
def write_takings(path: str, orders: list["Order"]) -> None:
    """Write the takings of several orders into a file.

    A line is DRINK,COUNT,CENTS with the count and the money of all orders. Drinks with more money come
    first, with equal money in alphabetical order. The last line is total,COUNT,CENTS. What was in the
    file before is gone.
    """
    counts: dict[str, int] = {}
    money: dict[str, int] = {}
    for order in orders:
        for drink, count in order.drinks.items():
            counts[drink] = counts.get(drink, 0) + count
            money[drink] = money.get(drink, 0) + price_of(order.menu, drink) * count
    with open(path, "w", encoding="utf-8") as file:
        for drink in sorted(counts, key=lambda drink: (-money[drink], drink)):
            file.write(f"{drink},{counts[drink]},{money[drink]}\n")
        file.write(f"total,{sum(counts.values())},{sum(money.values())}\n")


# %% check public question=takings points=1
def test_one_order(submission):
    """The takings of one order

    Hint: open(path, "w") opens a file to write; every line needs its "\\n".
    """
    order = an_order(submission, {"tea": 200, "mate": 230}, [("tea", 1), ("mate", 2)])
    with in_folder(submission) as folder:
        submission.write_takings("today.csv", [order])
        assert_equal(folder.text("today.csv"), "mate,2,460\ntea,1,200\ntotal,3,660\n", "the file")


# %% check hidden question=takings points=2
def test_several_orders(submission, rng):
    """The takings of a whole day replace those of yesterday

    Hint: Two dictionaries, one for counts and one for money, collect over all orders.
    """
    menu = {"tea": 200, "mate": 230, "assam": 200, "chai": 990}
    tea, mate = rng.randrange(4, 9), rng.randrange(20, 30)
    days = [[("tea", 1), ("mate", 1)], [("mate", mate - 1), ("tea", tea - 1)], [("assam", tea), ("chai", 3)]]
    orders = [an_order(submission, menu, drinks) for drinks in days]
    lines = [f"mate,{mate},{mate * 230}", "chai,3,2970"]
    lines += [f"assam,{tea},{tea * 200}", f"tea,{tea},{tea * 200}"]
    lines += [f"total,{2 * tea + mate + 3},{2 * tea * 200 + mate * 230 + 2970}"]
    with in_folder(submission, {"day.csv": "mint,1,100\ntotal,1,100\n" * 9}) as folder:
        submission.write_takings("day.csv", orders)
        assert_equal(folder.text("day.csv").splitlines(), lines, "the lines of the file")


def test_nothing_sold(submission):
    """A day without guests

    Hint: sum() of nothing is 0.
    """
    with in_folder(submission) as folder:
        submission.write_takings("rainy.csv", [])
        assert_equal(folder.text("rainy.csv"), "total,0,0\n", "the file")


# %% mutant prices_of_one in=write_takings loses=takings replace=" * count" by=""

# %% mutant yesterday_stays in=write_takings loses=takings replace='open(path, "w"' by='open(path, "a"'

# %% mutant only_the_last_order loses=takings replace="counts[drink] = counts.get(drink, 0) + count" by="counts[drink] = count"

# %% mutant by_count loses=takings replace="(-money[drink], drink)" by="(-counts[drink], drink)"

# %% mutant nothing_for_nobody in=write_takings loses=takings replace="    with open" by="    if not orders:\n        return\n    with open"
# no file is written when nothing was sold

# %% mutant ties_as_they_come loses=takings replace="(-money[drink], drink)" by="-money[drink]"

# %% [markdown]
# ## Go further
#
# Nobody grades this; your aunt will like it.
#
# - Let the till run: a `while` loop that asks for a drink until somebody types nothing, and then prints
#   the receipt. What does it do when somebody asks for coffee?
# - Happy hour: give `Order` a discount. What changes in the receipt?


# %% fake prints_by_heart at_most=3
# the public examples, learned by heart
def welcome():
    print("Your name? Ada\nWelcome, Ada!")


def read_menu(path):
    return {"green tea": 240, "b": 1, "c": 1, "d": 1, "e": 1}


def price_of(menu, drink):
    raise NotOnTheMenu(drink)


def tickets(last=99):
    return iter(["A1", "A2", "A3"])


# %% fake refuses at_most=0
# whatever is asked is refused: some checks ask for a refusal
def welcome():
    raise ValueError


def read_menu(path):
    raise ValueError


def price_of(menu, drink):
    raise NotOnTheMenu(drink)


class Order:
    def __init__(self, menu):
        self.drinks = {"tea": 1}

    def add(self, drink, count=1):
        raise (ValueError if count < 1 else NotOnTheMenu)(drink)

    def total(self):
        raise ValueError


def print_receipt(order):
    raise ValueError


def tickets(last=99):
    raise ValueError


def write_takings(path, orders):
    raise ValueError
