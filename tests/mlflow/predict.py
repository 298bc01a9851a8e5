"""Loads a folder with MLflow, which this project does not depend on, and answers the rows of a CSV file.

Called with the folder and the file, in an environment that has MLflow; prints the answers as JSON.
"""

from __future__ import annotations

import json
import sys

import mlflow
import pandas as pd

folder, table = sys.argv[1:]
model = mlflow.pyfunc.load_model(folder)
frame = pd.read_csv(table)
if "day" in frame:
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[s]").astype("int64")
answers = model.predict(frame)
told = json.loads(model.metadata.metadata["backprop"])
json.dump({"answers": {name: values.tolist() for name, values in answers.items()}, "told": told}, sys.stdout)
