class NotOnTheMenu(Exception):
    pass


def welcome():
    name = input("Your name? ").strip()
    if name == "":
        name = "stranger"
    print("Welcome,", name, "!")  # print puts blanks between


def read_menu(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    pairs = [line.split(",") for line in lines[1:] if line]
    return {drink.strip(): int(cents) for drink, cents in pairs}


def price_of(menu, drink):
    if drink.lower() in menu:
        return menu[drink.lower()]
    raise NotOnTheMenu(drink)


class Order:
    drinks = {}  # every order has the same one

    def __init__(self, menu):
        self.menu = menu

    def add(self, drink, count=1):
        if count < 1:
            raise ValueError("at least one")
        price_of(self.menu, drink)
        drink = drink.lower()
        self.drinks[drink] = self.drinks.get(drink, 0) + count

    def total(self):
        return sum(self.menu[drink] * count for drink, count in self.drinks.items())


def print_receipt(order):
    for drink, count in order.drinks.items():
        print(f"{f'{count} x {drink}':<16}{order.menu[drink] * count / 100:>8.2f}")
    print("-" * 24)
    print(f"{'total':<16}{order.total() / 100:>8.2f}")


def tickets(last=99):
    while True:
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            for number in range(1, last):  # one too few
                yield letter + str(number)


def write_takings(path, orders):
    counts, money = {}, {}
    for order in orders:
        for drink, count in order.drinks.items():
            counts[drink] = counts.get(drink, 0) + count
            money[drink] = money.get(drink, 0) + order.menu[drink] * count
    with open(path, "w") as file:
        for drink in sorted(counts, key=lambda d: (-money[d], d)):
            print(drink, counts[drink], money[drink], sep=",", file=file)
        print("total", sum(counts.values()), sum(money.values()), sep=",", file=file)
