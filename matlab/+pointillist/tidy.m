function home = tidy(names, home)
%TIDY Leave a session as it was when it started.
%   HOME = pointillist.tidy(NAMES) notes how things are; the cell row NAMES has
%   the environment variables.
%   HOME = pointillist.tidy(NAMES, HOME) makes them so again: files and figures
%   are closed, variables, globals and functions are cleared, and path, folder,
%   warnings, formats, random numbers and environment are those of before. It
%   gives [] if that is not possible: the session should end then.
    if nargin < 2
        home = noted(names);
        return
    end
    try
        in_octave = exist('OCTAVE_VERSION', 'builtin') ~= 0;
        fclose('all');
        close_figures();
        if ~in_octave
            delete(timerfindall);
        end
        forget();
        if ~strcmp(path(), home.path)
            path(home.path);
        end
        if ~strcmp(here(), home.folder)
            cd(home.folder);
        end
        restore_environment(names, home.environment);
        restore_defaults(home.defaults);
        warning(home.warnings);
        lasterr('');
        lastwarn('');
        if in_octave
            restore_octave(home);
        else
            restore_matlab(home);
        end
    catch err
        fprintf(2, 'error: MATLAB cannot be tidied up after this step: %s\n', err.message);
        home = [];
    end
    if in_octave
        fflush(1);
    end
end

function home = noted(names)
    home.path = path();
    home.folder = pwd();
    home.environment = cellfun(@getenv, names, 'UniformOutput', false);
    home.defaults = get(0, 'default');
    home.warnings = warning();
    if exist('OCTAVE_VERSION', 'builtin')
        home.settings = cellfun(@feval, settings(), 'UniformOutput', false);
    else
        home.random = rng();
    end
end

function close_figures()
    set(0, 'ShowHiddenHandles', 'on');
    figures = get(0, 'Children');
    set(0, 'ShowHiddenHandles', 'off');
    if ~isempty(figures)
        close('all', 'force');
    end
end

function forget()
% Clear all, in here and in the base workspace.
    evalin('base', 'clear all');
    clear all %#ok<CLALL>  % edited functions are read again
    if ~exist('OCTAVE_VERSION', 'builtin')
        clear classes %#ok<CLCLS>
    end
end

function folder = here()
    try
        folder = pwd();
    catch
        folder = '';  % it is gone
    end
end

function restore_environment(names, values)
    for k = 1:numel(names)
        if ~strcmp(getenv(names{k}), values{k})
            setenv(names{k}, values{k});
        end
    end
end

function restore_defaults(defaults)
    now = get(0, 'default');
    if isempty([struct2cell(now); struct2cell(defaults)])
        return
    end
    names = fieldnames(now);
    for k = 1:numel(names)
        if ~isfield(defaults, names{k})
            set(0, names{k}, 'remove');
        end
    end
    names = fieldnames(defaults);
    for k = 1:numel(names)
        set(0, names{k}, defaults.(names{k}));
    end
end

function restore_octave(home)
    lasterror('reset');
    format();
    names = settings();
    for k = 1:numel(names)
        feval(names{k}, home.settings{k});
    end
    generators = {'rand', 'randn', 'rande', 'randg', 'randp'};
    for k = 1:numel(generators)
        feval(generators{k}, 'state', 'reset');  % by the clock, as at a start
    end
end

function names = settings()
% What a function may set for the whole program.
    names = {'beep_on_error', 'confirm_recursive_rmdir', 'crash_dumps_octave_core', ...
        'debug_on_error', 'debug_on_warning', 'fixed_point_format', 'max_recursion_depth', ...
        'output_precision', 'page_output_immediately', 'page_screen_output', ...
        'print_empty_dimensions', 'print_struct_array_contents', 'save_default_options', ...
        'save_precision', 'split_long_rows', 'string_fill_char', 'struct_levels_to_print'};
end

function restore_matlab(home)
    MException.last('reset');
    format();
    more('off');
    rng(home.random);
end
