"""Images to images: translation between pictures of two or more kinds, with pairs or without."""
