"""Run the lessons: which there are, each in a worker of its own, its page, progress and summary."""
