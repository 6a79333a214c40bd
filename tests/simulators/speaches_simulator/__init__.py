"""A simulator of Speaches: the HTTP shapes of 0.9.0-rc.3 over the real faster-whisper."""
