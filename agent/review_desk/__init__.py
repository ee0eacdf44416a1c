"""The one service under the terminal UI and the command line of reviewers."""
