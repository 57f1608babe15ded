"""The first page where no engine answers: what was looked for, and the ways to one."""
