"""Official reports: one model of title, facts, figures and tables; each is written as PDF, XLSX, CSV and HTML."""
