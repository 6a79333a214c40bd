"""What brings the models on Ollama's volume to the catalogue."""
