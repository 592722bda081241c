"""Delivery against payment: due positions, batch runs, money settlement, gross instructions, fails, timetable."""
