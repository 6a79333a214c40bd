"""What runs beside the clients' packages: one module a client, called through `worker`.

They are Python of that environment: nothing else of this project can be imported here.
"""
