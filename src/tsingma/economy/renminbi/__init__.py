"""The renminbi abroad: its share by function, who adopts it, and the offshore pool in double entry."""
