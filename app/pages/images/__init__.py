"""Images: the list, the details of one, and the dialogs to pull, tag, import and clean up."""
