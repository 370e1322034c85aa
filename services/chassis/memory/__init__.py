"""Memory of one call: leased, locked, wiped; and the guard and the seal around the whole process.

Nothing is imported here, because `guard` and `seal` must run before numpy starts its threads.
"""
