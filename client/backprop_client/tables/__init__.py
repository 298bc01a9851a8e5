"""What people have as a table, as a file for the service; and the service's answers in the form that they had it in.

Each library is used only if the caller's object comes from it. Nothing is imported otherwise but pyarrow, if it is
there: tables go as streams of Arrow's then, else as text.
"""
