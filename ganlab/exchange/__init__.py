"""What goes in and out: trained generators from run folders."""
