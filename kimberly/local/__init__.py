"""The stack of one machine: embedded PostgreSQL and Valkey, web, worker and beat as one supervised tree.

Pure Python without Django: it starts the processes in which Django runs. `python -m kimberly.local up` begins it.
"""
