"""Films from films for ganlab: vid2vid."""
