@echo off
rem Open the lessons in JupyterLab.
cd /d "%~dp0"
if not exist .venv\installed.json (
    echo Not set up yet, or not to the end. First: py .\install
    pause
    exit /b 1
)
.venv\Scripts\python -m jupyterlab %* notebooks
if errorlevel 1 pause
