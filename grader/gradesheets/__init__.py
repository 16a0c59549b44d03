"""Grade sheets of learning platforms: the file that was downloaded, with one column filled in.

`cells` reads a sheet without losing a byte, `sheets` knows the columns of Canvas, Moodle and plain
tables, `filling` puts scores into them.
"""
