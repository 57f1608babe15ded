"""What a person sees, one package per noun."""
