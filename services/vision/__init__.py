"""What two or more features need to see in a picture; knows no feature and no transport."""
