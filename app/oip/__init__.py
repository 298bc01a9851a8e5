"""The Open Inference Protocol, version 2, over REST: `/v2`. Its clients bring their own ideas of HTTP with them."""
