"""What people see of the house in a browser: pages rendered here, whole without JavaScript, in English and Chinese."""
