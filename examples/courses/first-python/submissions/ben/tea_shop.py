# I got to question 4, then the bus came


class NotOnTheMenu(Exception):
    pass


def welcome():
    name = input("Your name? ")
    print("Welcome, " + name + "!")


def read_menu(path):
    menu = {}
    file = open(path)
    lines = file.readlines()
    for line in lines[1:]:
        parts = line.split(",")
        menu[parts[0]] = int(parts[1])
    return menu


def price_of(menu, drink):
    for name in menu:
        if name == drink:
            return menu[name]
    raise NotOnTheMenu(drink)


class Order:
    def __init__(self, menu):
        self.menu = menu
        self.drinks = {}

    def add(self, drink, count=1):
        self.drinks[drink] = count

    def total(self):
        total = 0
        for drink in self.drinks:
            total = total + self.menu[drink] * self.drinks[drink]
        print(total)
