"""What of this computer's own settings a guest lives by: nameservers, proxy, certificate authorities."""
