"""The algorithm of the UFLDL tutorial's page "Backpropagation Algorithm", in pure NumPy.

No clock, file, environment, database or global random state: whatever these functions need is handed to them.
"""
