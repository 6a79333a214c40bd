"""Settings for the programs that people use: from what an application may ask for to their files.

Pure: `access` says what there is, and each module below returns what one client takes.
"""
