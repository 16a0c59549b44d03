"""Tables of learning platforms: who is in them, and the column of scores, filled in.

`sheet` reads a table without losing a byte, `people` knows who stands where on every platform and
`moodle` one of them by its shape, `columns` knows where scores go, `filling` puts them there;
`roster` and `timetables` are what instructors give besides.
"""
