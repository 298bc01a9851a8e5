"""How well predictions match: one file for each kind of question, and one for all that is said of classes.

Everything gathers batches, so that predictions for data larger than memory are never held at once, and takes weights of
the rows as scikit-learn takes `sample_weight`. What is not known is None: never NaN, and never a warning.
"""
