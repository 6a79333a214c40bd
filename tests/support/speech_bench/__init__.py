"""How well and how fast the voice loop hears what it says: real Piper, real Whisper, no cluster."""
