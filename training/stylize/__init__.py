"""Train, export and judge the stylizer: photo and style code in, stylised photo out."""
