"""Turning columns into what a network sees and its outputs back into what people read.

A coding is learned from training rows, is a few numbers and labels, and goes to plain JSON and back without change
(`to_json`, `from_json`).
"""
