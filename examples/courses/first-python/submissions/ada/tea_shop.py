import csv
import itertools
import string
from dataclasses import dataclass, field


class NotOnTheMenu(Exception):
    pass


def welcome():
    print("Your name? ", end="")
    name = input()
    print("Welcome, {}!".format(" ".join(name.split()) or "stranger"))


def read_menu(path):
    with open(path, newline="") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        return {row["drink"].strip(): int(row["cents"]) for row in rows}


def price_of(menu, drink):
    try:
        return menu[drink.casefold()]
    except KeyError:
        raise NotOnTheMenu(drink) from None


@dataclass
class Order:
    menu: dict
    drinks: dict = field(default_factory=dict)

    def add(self, drink, count=1):
        if count <= 0:
            raise ValueError(count)
        price_of(self.menu, drink)
        self.drinks.setdefault(drink.lower(), 0)
        self.drinks[drink.lower()] += count

    def total(self):
        cents = 0
        for drink in self.drinks:
            cents += self.menu[drink] * self.drinks[drink]
        return cents


def print_receipt(order):
    lines = []
    for drink, count in order.drinks.items():
        text = str(count) + " x " + drink
        lines.append(text.ljust(16) + ("%.2f" % (order.menu[drink] * count / 100)).rjust(8))
    lines += [24 * "-", "total".ljust(16) + ("%.2f" % (order.total() / 100)).rjust(8)]
    print("\n".join(lines))


def tickets(last=99):
    letters = itertools.cycle(string.ascii_uppercase)
    return (f"{letter}{n}" for letter in letters for n in range(1, last + 1))


def write_takings(path, orders):
    rows = {}
    for order in orders:
        for drink, count in order.drinks.items():
            so_far = rows.get(drink, [drink, 0, 0])
            rows[drink] = [drink, so_far[1] + count, so_far[2] + count * price_of(order.menu, drink)]
    table = sorted(sorted(rows.values()), key=lambda row: row[2], reverse=True)
    table.append(["total", sum(r[1] for r in table), sum(r[2] for r in table)])
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
