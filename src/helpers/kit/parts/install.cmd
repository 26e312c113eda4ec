@echo off
cd /d "%~dp0"
where py >nul 2>nul
if errorlevel 1 (python install) else (py .\install)
pause
