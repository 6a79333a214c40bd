"""Text to speech with Piper's voices behind OpenAI's API."""
