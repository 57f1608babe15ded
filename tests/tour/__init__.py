"""The tour: the running program driven through the main job, with a picture of every place, light and dark."""
