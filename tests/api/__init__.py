"""The client API over HTTP: every sentence that it promises."""
