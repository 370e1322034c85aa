"""Recipes that make the shipped weights; nothing here is imported by a service."""
