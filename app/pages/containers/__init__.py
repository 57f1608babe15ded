"""What a person sees of containers: the list, the details and their tabs."""
