import math

def length(line):
    return math.dist(line[0], line[-1])

# Why longer? With a short ruler you see every bay. <b>I could not find the cell to write this into.</b>
