@echo off
rem Open the lessons in JupyterLab.
cd /d "%~dp0"
.venv\Scripts\python -m jupyterlab %* notebooks
if errorlevel 1 pause
