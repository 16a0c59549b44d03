"""The same grading on a Dask cluster: the executor whose slots are threads of Dask workers.

Dask schedules, transports and recovers; what is here gives each worker a warm crew of ours, and
turns jobs into bytes and back. Dask is imported in this folder alone, when a cluster is asked for.
"""
