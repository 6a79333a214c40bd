"""After how many seconds a client may ask again."""

QUEUE_RETRY_S = 30
UNAVAILABLE_RETRY_S = 5
